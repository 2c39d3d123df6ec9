// Makes the npm package of the kits: shared/ compiled to ES modules with types, its own package.json, the guides. What comes out is
// .build/package/latchkey-<version>.tgz, exactly as `npm pack` makes it. Only files that the three exports reach are in it.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { BUILD, ROOT, runQuietly } from './build.ts'

/** Name of an export and its source; the repository's own package.json names the same. */
const EXPORTS = { './client': 'uma-client', './resource-server': 'resource-server', './protocol': 'protocol/index' } as const
const GUIDES = ['protect-your-api.md', 'open-a-shared-thing.md']

type Manifest = { name: string; version: string; description: string; license: string; dependencies: Record<string, string> }

/** Node 20 knows ES2023; what is newer would have to be compiled away. */
const TARGET = 'ES2022'

const compile = async (folder: string): Promise<void> => {
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      outDir: './content/dist',
      rootDir: join(ROOT, 'shared'),
      declaration: true,
      rewriteRelativeImportExtensions: true,
      target: TARGET,
      lib: ['ES2024', 'WebWorker'],
    },
    files: Object.values(EXPORTS).map((source) => join(ROOT, 'shared', `${source}.ts`)),
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  await runQuietly('tsc', ['-p', join(folder, 'tsconfig.json'), '--pretty', 'false'])
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/** The compiler rewrites `./x.ts` in code but not in declarations. */
const mendDeclarations = (content: string): void => {
  for (const path of filesIn(content).filter((name) => name.endsWith('.d.ts'))) {
    writeFileSync(path, readFileSync(path, 'utf8').replace(/(from '\.{1,2}\/[^']+|import\("\.{1,2}\/[^"]+)\.ts(['"])/g, '$1.js$2'))
  }
}

/** Packages that the compiled code imports, with the versions that the repository is tested with as the lowest. */
const dependencies = (content: string, manifest: Manifest): Record<string, string> => {
  const imported = new Set(
    filesIn(content)
      .filter((name) => name.endsWith('.js'))
      .flatMap((name) =>
        [...readFileSync(name, 'utf8').matchAll(/^(?:import|export)\b[^'";]*?from '([^'.][^']*)'/gm)].map(([, from]) => from ?? ''),
      ),
  )
  return Object.fromEntries([...imported].sort().map((name) => [name, `^${manifest.dependencies[name]}`]))
}

const writeManifest = (content: string, manifest: Manifest): void => {
  const { name, version, license } = manifest
  const entries = Object.entries(EXPORTS).map(([path, source]) => [
    path,
    { types: `./dist/${source}.d.ts`, default: `./dist/${source}.js` },
  ])
  const written = {
    name,
    version,
    description: 'UMA 2.0 for programs: a fetch that answers challenges, and a kit that protects an API.',
    license,
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20' },
    exports: Object.fromEntries(entries),
    files: ['dist', 'guides'],
    dependencies: dependencies(content, manifest),
  }
  writeFileSync(join(content, 'package.json'), `${JSON.stringify(written, undefined, 2)}\n`)
}

/** npm of this machine; it needs no network for this. */
const npmPack = (folder: string): string => {
  const done = spawnSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: join(folder, 'content'),
    encoding: 'utf8',
  })
  if (done.status !== 0) throw new Error(`npm pack failed\n${done.stdout}${done.stderr}${done.error?.message ?? ''}`)
  return join(folder, basename(done.stdout.trim().split('\n').at(-1) ?? ''))
}

/** Builds the package anew in `folder`, which is emptied. Answers the path of the tarball; throws with the tool's own words when a step fails. */
export const pack = async (folder = join(BUILD, 'package')): Promise<string> => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest
  const content = join(folder, 'content')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(content, 'guides'), { recursive: true })
  await compile(folder)
  mendDeclarations(content)
  writeManifest(content, manifest)
  for (const guide of GUIDES) copyFileSync(join(ROOT, 'shared', guide), join(content, 'guides', guide))
  copyFileSync(join(ROOT, 'LICENSE'), join(content, 'LICENSE'))
  return npmPack(folder)
}

if (import.meta.main) {
  const tarball = await pack()
  console.log(`${tarball} (${(statSync(tarball).size / 1024).toFixed(1)} KB)`)
}
