/**
 * What to call instead of `run`: however often that happens in one go, `run` is called once, at the end of it. So all
 * responses that came in one piece are answered by one write.
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
