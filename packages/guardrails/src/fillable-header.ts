/** Headers that frame, route or trace a request, or carry several credentials in one. */
const unfillable =
  /^(?:host|content-.*|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|proxy-.*|accept-encoding|cookie2?|set-cookie|via|forwarded|http2-settings|trace.*|baggage|dpop|date|range|if-range)$/i;

/** Whether an agent may write a placeholder in this header, where a target's configuration says so. */
export const isFillableHeader = (name: string): boolean => !unfillable.test(name);
