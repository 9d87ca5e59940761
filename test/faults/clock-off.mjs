// Loaded before a service: its wall clock is off by so many milliseconds; its monotonic clock is not.
const offMs = Number(process.env.SALLYPORT_TEST_CLOCK_OFF_MS);
const RightDate = Date;

globalThis.Date = class extends RightDate {
  constructor(...given) {
    super(...(given.length === 0 ? [RightDate.now() + offMs] : given));
  }
  static now() {
    return RightDate.now() + offMs;
  }
};
