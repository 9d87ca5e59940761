import type { HttpClient, PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import type { Egress } from "@sallyport/egress";

type MakeHeaders = (raw: Record<string, string>) => PipelineResponse["headers"];

/** The SDK's way out is the guarded dialler: bounded in time and size, no proxy, no redirect. */
export const azureTransport = (egress: Egress, timeoutMs: number, headers: MakeHeaders): HttpClient => ({
  async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
    const { url, method, body, abortSignal } = request;
    const answer = await egress.fetch(url, {
      method: method as "GET",
      headers: request.headers.toJSON(),
      ...(typeof body === "string" || body instanceof Uint8Array ? { body } : {}),
      timeoutMs,
      ...(abortSignal instanceof AbortSignal ? { signal: abortSignal } : {}),
    });
    const bodyAsText = answer.body.toString("utf8");
    answer.body.fill(0);
    return { request, status: answer.status, headers: headers({ ...answer.headers }), bodyAsText };
  },
});
