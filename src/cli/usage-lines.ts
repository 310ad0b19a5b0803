/** What stands below an error of wrong usage. @param usage - how it is called @param help - what shows more */
export function usageLines(usage: string, help: string): string {
  return `Usage: ${usage}\nTry '${help}' for more information.\n`
}
