import { type Command, Help } from '@oclif/core'
import { getHelpFlagAdditions, standardizeIDFromArgv } from '@oclif/core/help'
import { EXIT } from '../exit-status.ts'
import { unknownCommand, unknownCommandText } from '../unknown-command.ts'
import { type Block, manualPage } from './page.ts'

/** Shows help in the form of the manual page: the synopsis in one line, the description, and then the options. */
export default class ManualHelp extends Help {
  /** @throws {UsageError} the words are neither a command nor a topic; the error has been printed already */
  override async showHelp(argv: string[]): Promise<void> {
    const subject = this.#subject(argv)
    if (subject !== undefined && !this.config.findCommand(subject) && !this.config.findTopic(subject)) {
      const error = unknownCommand(subject.split(':'), this.config)
      process.stderr.write(unknownCommandText(error, this.config))
      throw Object.assign(error, { oclif: { exit: EXIT.USAGE }, skipOclifErrorHandling: true })
    }
    return super.showHelp(argv)
  }

  /** The id of the command or topic to show, found as oclif does; undefined for the tool itself. */
  #subject(argv: readonly string[]): string | undefined {
    const helpFlags = getHelpFlagAdditions(this.config)
    const words = argv.filter((arg) => !helpFlags.includes(arg))
    const [first] = standardizeIDFromArgv(words, this.config).filter((arg) => arg !== 'help')
    return first?.startsWith('-') ? undefined : first
  }

  override formatCommand(command: Command.Loadable): string {
    const { synopsis, sections } = manualPage(command, this.config, (text) => this.render(text))
    const rendered = sections.map(({ heading, blocks }) => this.section(heading, this.#body(blocks)))
    return [this.section('USAGE', `$ ${synopsis}`), ...rendered].join('\n\n')
  }

  #body(blocks: readonly Block[]): string {
    return blocks
      .map((block, i) => {
        const before = blocks[i - 1]
        // No blank line between definitions, or between a subheading and its first definition.
        const isClose = block.kind === 'definition' && (before?.kind === 'definition' || before?.kind === 'subheading')
        return (i === 0 ? '' : isClose ? '\n' : '\n\n') + this.#block(block)
      })
      .join('')
  }

  #block(block: Block): string {
    switch (block.kind) {
      case 'paragraph':
        return this.wrap(block.text)
      case 'subheading':
        return `${block.text}:`
      case 'definition': {
        const text = this.indent(this.wrap(block.texts.join(' '), 8), 6)
        // On the same line if there is room.
        return block.term.length < 5 ? block.term + text.slice(block.term.length) : `${block.term}\n${text}`
      }
      case 'example': {
        const command = this.indent(`$ ${block.command}`, 4)
        return block.text === '' ? command : `${this.wrap(block.text)}\n${command}`
      }
    }
  }
}
