import type { Interfaces } from '@oclif/core'

export function sourcePackageJson(root: string): Interfaces.PJSON
