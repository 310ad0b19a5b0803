/** The lines below an error of wrong usage. @param usage - the synopsis @param help - the command that shows help */
export function usageLines(usage: string, help: string): string {
  return `Usage: ${usage}\nTry '${help}' for more information.\n`
}
