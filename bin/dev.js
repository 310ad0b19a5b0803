#!/usr/bin/env node
// Runs the CLI from its sources, by type stripping, without a build and without a manifest.
import { fileURLToPath } from 'node:url'
import { execute, settings } from '@oclif/core'
import { sourcePackageJson } from '../tools/source-package-json.js'

const root = fileURLToPath(new URL('..', import.meta.url))
settings.enableAutoTranspile = false
const pjson = sourcePackageJson(root)
await execute({ loadOptions: { ignoreManifest: true, pjson, root, userPlugins: false, devPlugins: false } })
