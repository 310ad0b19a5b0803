/**
 * The messages in `src/`: every text that goes into an error, a hint, a warning or a notice, found by way of TypeScript's
 * syntax trees and symbols. Texts are followed back through variables, tables, the results of functions, and parameters.
 */
import { fileURLToPath } from 'node:url'
import * as ts from 'typescript/unstable/ast'
import { API, type Checker, type Project } from 'typescript/unstable/sync'

/** The directory of the project, with a slash at its end. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** A text of a message. */
export interface Message {
  /** Its file, below the root of the project: `src/kvs/walk.ts`. */
  readonly file: string
  /** Where it stands in the file, from 0. */
  readonly offset: number
  /** From 1. */
  readonly line: number
  /** What is always the same in it: the parts of a template between its values. */
  readonly parts: readonly string[]
}

/** Files whose texts go into messages, and are tested as tables of their own. */
const NO_MESSAGES: ReadonlySet<string> = new Set([
  // Compared with those of the C library.
  'src/errors/errno.ts',
  // What a report shows.
  'src/report/events.ts',
  'src/report/findings.ts',
  'src/report/health.ts',
])

/** What makes a message, and which of its arguments are parts of it, from and to. */
const MAKERS = new Map<string, readonly [from: number, to?: number]>(
  Object.entries({
    // Of a warning, the second argument is its kind.
    complain: [0, 1],
    fault: [0, 1],
    notice: [0, 1],
    onSilence: [0, 1],
    onStep: [0, 1],
    onWarning: [0, 1],
    warn: [0, 1],
    // The first argument is the error or signal that is told of.
    abortError: [1],
    fromSystem: [1],
    limitError: [1],
    writeError: [1],
    super: [0],
  }),
)

/** A word of a message, with a hyphen or an apostrophe in it. */
export const WORD = /[\p{L}\p{N}_]+(?:['-][\p{L}\p{N}_]+)*/gu

/** Properties that are no part of a message. */
const NO_MESSAGE = new Set(['cause', 'comment', 'description', 'kind'])

/** The sources and the tests, parsed. To be closed. */
export class Sources {
  readonly #api = new API({ cwd: ROOT })
  readonly #project: Project

  constructor() {
    const snapshot = this.#api.updateSnapshot({ openProjects: [`${ROOT}tsconfig.check.json`] })
    this.#project = snapshot.getProjects()[0] as Project
  }

  /** The files below a directory. @param dir - `src/` or `test/` */
  below(dir: string): ts.SourceFile[] {
    const names = this.#project.program.getSourceFileNames().filter((name) => name.startsWith(ROOT + dir))
    return names.map((name) => this.#project.program.getSourceFile(name) as ts.SourceFile)
  }

  /** All messages in `src/`, by file and place. */
  messages(): Message[] {
    const all = new MessageSearch(this.#project.checker).run(this.below('src/'))
    return all.filter(({ file }) => !NO_MESSAGES.has(file))
  }

  close(): void {
    this.#api.close()
  }
}

/** Where a text is looked for, and whether what is looked at is the result of a function that is called there. */
interface Place {
  readonly node: ts.Node
  readonly isResult: boolean
}

class MessageSearch {
  readonly #checker: Checker
  readonly #found = new Map<ts.Node, readonly string[]>()
  readonly #seen = [new Set<ts.Node>(), new Set<ts.Node>()] as const
  readonly #calls = new Map<string, Call[]>()
  #open: Place[] = []
  /** What {@link #open} refers to. */
  #names: Place[] = []

  constructor(checker: Checker) {
    this.#checker = checker
  }

  run(sources: readonly ts.SourceFile[]): Message[] {
    for (const source of sources) this.#addMakers(source)
    while (this.#open.length > 0) {
      for (const place of this.#open.splice(0)) this.#look(place.node, place.isResult)
      this.#follow(this.#names.splice(0))
    }
    return this.#messages()
  }

  #messages(): Message[] {
    const messages = [...this.#found].map(([node, parts]) => {
      const source = node.getSourceFile()
      const offset = node.getStart()
      const line = source.text.slice(0, offset).split('\n').length
      return { file: source.fileName.slice(ROOT.length), offset, line, parts }
    })
    return messages
      .filter(isMessage)
      .sort((a, b) => (a.file === b.file ? a.offset - b.offset : a.file < b.file ? -1 : 1))
  }

  /** Look into the arguments of everything in a file that makes a message, and note all calls. */
  #addMakers(node: ts.Node): void {
    if (ts.isNewExpression(node) || ts.isCallExpression(node)) {
      const text = textOf(calleeOf(node))
      const calls = this.#calls.get(text) ?? []
      this.#calls.set(text, calls)
      calls.push(node)
      const range = ts.isNewExpression(node) && /^[A-Z]\w*Error$/.test(text) ? [0] : MAKERS.get(text)
      if (range) for (const argument of (node.arguments ?? []).slice(...range)) this.#add(argument, false)
    }
    node.forEachChild((child) => this.#addMakers(child))
  }

  #add(node: ts.Node | undefined, isResult: boolean): void {
    const seen = this.#seen[isResult ? 1 : 0]
    if (node === undefined || seen.has(node)) return
    seen.add(node)
    this.#open.push({ node, isResult })
  }

  /** Find the texts in an expression, and the names in it that may stand for texts. */
  #look(node: ts.Node, isResult: boolean): void {
    const look = (child: ts.Node | undefined) => {
      if (child !== undefined) this.#look(child, isResult)
    }
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
      this.#found.set(node, [node.text])
    } else if (ts.isTemplateExpression(node)) {
      this.#found.set(node, [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)])
      for (const { expression } of node.templateSpans) look(expression)
    } else if (ts.isConditionalExpression(node)) {
      look(node.whenTrue)
      look(node.whenFalse)
    } else if (ts.isBinaryExpression(node)) {
      const operator = node.operatorToken.kind
      const { PlusToken, BarBarToken, QuestionQuestionToken, AmpersandAmpersandToken } = ts.SyntaxKind
      if (operator === AmpersandAmpersandToken) look(node.right)
      else if ([PlusToken, BarBarToken, QuestionQuestionToken].includes(operator)) node.forEachChild(look)
    } else if (ts.isPropertyAssignment(node)) {
      if (!NO_MESSAGE.has(node.name.getText())) look(node.initializer)
    } else if (ts.isCallExpression(node)) {
      this.#names.push({ node, isResult })
      if (ts.isPropertyAccessExpression(node.expression)) {
        const isMap = node.expression.name.text === 'map'
        if (isMap) node.arguments.forEach(look)
        else look(node.expression.expression)
      }
    } else if (ts.isPropertyAccessExpression(node)) {
      this.#names.push({ node: node.name, isResult })
      look(node.expression)
    } else if (ts.isElementAccessExpression(node)) {
      look(node.expression)
    } else if (ts.isIdentifier(node)) {
      this.#names.push({ node, isResult })
    } else if (isFunction(node)) {
      for (const result of resultsOf(node)) look(result)
    } else if (!ts.isNewExpression(node)) {
      node.forEachChild(look)
    }
  }

  /** Look into what names stand for. */
  #follow(places: readonly Place[]): void {
    const declarations = this.#declarations(
      places.map(({ node }) => (ts.isCallExpression(node) ? calleeOf(node) : node)),
    )
    places.forEach(({ node, isResult }, at) => {
      for (const declaration of declarations[at] ?? []) {
        if (ts.isCallExpression(node)) this.#addCalled(node, declaration, isResult)
        else this.#addDeclared(declaration, isResult)
      }
    })
  }

  /** The results of a function of ours, and what it is called with. */
  #addCalled(call: ts.CallExpression, declaration: ts.Node, isResult: boolean): void {
    const called = functionOf(declaration)
    if (called === undefined) return
    for (const result of resultsOf(called)) this.#add(result, true)
    for (const argument of call.arguments) this.#add(argument, isResult)
  }

  #addDeclared(declaration: ts.Node, isResult: boolean): void {
    if (
      ts.isVariableDeclaration(declaration) ||
      ts.isPropertyAssignment(declaration) ||
      ts.isPropertyDeclaration(declaration)
    ) {
      this.#add(declaration.initializer, isResult)
    } else if (ts.isBindingElement(declaration)) {
      this.#add(declaration.initializer, isResult)
      this.#add(sourceOf(declaration), isResult)
    } else if (ts.isParameterDeclaration(declaration)) {
      this.#add(declaration.initializer, isResult)
      // The arguments of the one call whose result is looked at have been added with it.
      if (!isResult) this.#addArguments(declaration)
    }
  }

  /** What a parameter is given in all calls of its function. */
  #addArguments(parameter: ts.ParameterDeclaration): void {
    const called = parameter.parent as FunctionNode
    const at = called.parameters.indexOf(parameter)
    const calls = this.#calls.get(nameOf(called)) ?? []
    const declarations = this.#declarations(calls.map(calleeOf))
    calls.forEach((call, index) => {
      const isCalled = declarations[index]?.some((declaration) => functionOf(declaration) === called)
      if (isCalled) this.#add(call.arguments?.[at], false)
    })
  }

  /** The declarations of names in the sources. */
  #declarations(names: readonly ts.Node[]): ts.Node[][] {
    const symbols = this.#checker.getSymbolAtLocation(names)
    return symbols.map((symbol, at) => {
      const { parent } = names[at] as ts.Node
      const named = ts.isShorthandPropertyAssignment(parent)
        ? this.#checker.getShorthandAssignmentValueSymbol(parent)
        : symbol
      if (named === undefined) return []
      const isAlias = named.declarations.some(({ kind }) => kind === ts.SyntaxKind.ImportSpecifier)
      const { declarations } = isAlias ? this.#checker.getAliasedSymbol(named) : named
      const ours = declarations.filter(
        ({ path }) => path.startsWith(`${ROOT}src/`.toLowerCase()) || path.startsWith(`${ROOT}src/`),
      )
      return ours.map((handle) => handle.resolve()).filter((node) => node !== undefined)
    })
  }
}

type Call = ts.CallExpression | ts.NewExpression

type FunctionNode =
  | ts.ArrowFunction
  | ts.ConstructorDeclaration
  | ts.FunctionDeclaration
  | ts.FunctionExpression
  | ts.MethodDeclaration

function isFunction(node: ts.Node): node is FunctionNode {
  return (
    ts.isArrowFunction(node) ||
    ts.isConstructorDeclaration(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isFunctionExpression(node) ||
    ts.isMethodDeclaration(node)
  )
}

/** The name by which a call calls. */
function calleeOf({ expression }: Call): ts.Node {
  let callee: ts.Node = expression
  while (ts.isParenthesizedExpression(callee) || ts.isNonNullExpression(callee)) callee = callee.expression
  return ts.isPropertyAccessExpression(callee) ? callee.name : callee
}

function textOf(name: ts.Node): string {
  return name.kind === ts.SyntaxKind.SuperKeyword ? 'super' : ((name as { text?: string }).text ?? '')
}

/** The function that a declaration declares. */
function functionOf(declaration: ts.Node): FunctionNode | undefined {
  if (isFunction(declaration)) return declaration
  if (ts.isClassDeclaration(declaration)) return declaration.members.find(ts.isConstructorDeclaration)
  const { initializer } = declaration as { initializer?: ts.Node }
  return initializer !== undefined && isFunction(initializer) ? initializer : undefined
}

/** The name by which a function is called. */
function nameOf(called: FunctionNode): string {
  const named = ts.isConstructorDeclaration(called) || ts.isArrowFunction(called) ? called.parent : called
  return (named as { name?: { text?: string } }).name?.text ?? ''
}

/** What is taken apart to give a part a name; undefined for a parameter. */
function sourceOf(part: ts.BindingElement): ts.Node | undefined {
  let whole: ts.Node = part
  while (ts.isBindingElement(whole) || ts.isObjectBindingPattern(whole) || ts.isArrayBindingPattern(whole)) {
    whole = whole.parent
  }
  if (!ts.isVariableDeclaration(whole)) return undefined
  const loop = whole.parent.parent
  return whole.initializer ?? (ts.isForOfStatement(loop) ? loop.expression : undefined)
}

/** The expressions that a function returns. */
function resultsOf({ body }: FunctionNode): ts.Node[] {
  if (body === undefined) return []
  if (!ts.isBlock(body)) return [body]
  const results: ts.Node[] = []
  const visit = (node: ts.Node): void => {
    if (isFunction(node)) return
    if (ts.isReturnStatement(node) && node.expression !== undefined) results.push(node.expression)
    else node.forEachChild(visit)
  }
  body.forEachChild(visit)
  return results
}

/**
 * True for a text for people. Names, codes and punctuation are none; nor is a text of one or two words, which is a part of
 * another one.
 */
function isMessage({ parts }: Message): boolean {
  const text = parts.join(' ')
  if (text.includes('\n')) return false
  const words = text.match(WORD) ?? []
  return words.length >= (parts.length > 1 ? 2 : 3) && /[a-z] +['"(-]*[a-z]/.test(text)
}
