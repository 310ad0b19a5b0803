/** Loaded before the CLI (`node --import`): the clock is set back by ten days once it has been looked at. */
const { now } = Date
let looks = 0
Date.now = () => now() - (++looks > 2 ? 864_000_000 : 0)
const RealDate = Date
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [RealDate.now()] : args))
  }
}
