/**
 * Make a function that schedules `run`. However often it is called in one turn, `run` is called once, in a microtask.
 * So one write follows all responses of one received chunk.
 */
export function coalesce(run: () => void): () => void {
  let isScheduled = false
  return () => {
    if (isScheduled) return
    isScheduled = true
    queueMicrotask(() => {
      isScheduled = false
      run()
    })
  }
}
