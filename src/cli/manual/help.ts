import { type Command, Help } from '@oclif/core'
import { type Block, manualPage } from './page.ts'

/** Help that reads like the manual page: the synopsis in one line, what it does, and then the options. */
export default class ManualHelp extends Help {
  override formatCommand(command: Command.Loadable): string {
    const { synopsis, sections } = manualPage(command, this.config, (text) => this.render(text))
    const rendered = sections.map(({ heading, blocks }) => this.section(heading, this.#body(blocks)))
    return [this.section('USAGE', `$ ${synopsis}`), ...rendered].join('\n\n')
  }

  #body(blocks: readonly Block[]): string {
    return blocks
      .map((block, i) => {
        const before = blocks[i - 1]
        // Definitions stand close together, below their heading.
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
        // On the same line, where there is room.
        return block.term.length < 5 ? block.term + text.slice(block.term.length) : `${block.term}\n${text}`
      }
      case 'example': {
        const command = this.indent(`$ ${block.command}`, 4)
        return block.text === '' ? command : `${this.wrap(block.text)}\n${command}`
      }
    }
  }
}
