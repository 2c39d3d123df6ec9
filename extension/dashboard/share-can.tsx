// What a person can do with a thing: one row of words. Known actions build on each other (who may download may view); what nobody here has
// a word for, and what destroys, is folded away and never chosen by itself.
import type { Thing } from '../messages.ts'
import { useTexts } from '../ui/context.ts'
import { Icon, type IconName } from '../ui/parts.tsx'
import { actions, capital } from '../ui/words.ts'

/** Weakest first. */
const LADDER = ['view', 'read', 'comment', 'download', 'print', 'edit', 'write']
const ICONS: Readonly<Record<string, IconName>> = { view: 'eye', read: 'eye', download: 'download', edit: 'edit', write: 'edit' }

export type CanChoices = {
  /** Each rung with everything below it. */
  rungs: { scope: string; scopes: string[] }[]
  extra: string[]
  /** What scopes that are addresses say of themselves. */
  names: Thing['scope_names']
}

export const canChoices = (thing: Thing | undefined): CanChoices => {
  const scopes = thing?.scopes ?? []
  const known = LADDER.filter((scope) => scopes.includes(scope))
  return {
    rungs: known.map((scope, index) => ({ scope, scopes: known.slice(0, index + 1) })),
    extra: scopes.filter((scope) => !LADDER.includes(scope)),
    names: thing?.scope_names ?? {},
  }
}

/** The scopes of the share that the choices stand for. */
export const scopesOf = (thing: Thing | undefined, can: number, also: readonly string[]): string[] => {
  const { rungs, extra } = canChoices(thing)
  const rung = rungs[Math.min(can, rungs.length - 1)]
  return [...(rung?.scopes ?? []), ...extra.filter((scope) => also.includes(scope) || rungs.length === 0)]
}

type CanFieldProps = { choices: CanChoices; can: number; onCan: (index: number) => void }

export const CanField = ({ choices: { rungs }, can, onCan }: CanFieldProps) => {
  const texts = useTexts()
  const current = Math.min(can, rungs.length - 1)
  if (rungs.length === 0) return null
  return (
    <fieldset class="field">
      <legend class="label legend">{texts.t('share_can')}</legend>
      <div class="choices">
        {rungs.map(({ scope }, index) => {
          const icon = ICONS[scope]
          return (
            <label class="choice" key={scope}>
              <input type="radio" name="can" value={scope} checked={index === current} onChange={() => onCan(index)} />
              <span>
                {icon !== undefined && <Icon name={icon} small />}
                {capital(actions([scope], texts))}
              </span>
            </label>
          )
        })}
      </div>
    </fieldset>
  )
}

type AlsoFieldProps = { choices: CanChoices; also: readonly string[]; onAlso: (scopes: string[]) => void }

export const AlsoField = ({ choices: { rungs, extra, names }, also, onAlso }: AlsoFieldProps) => {
  const texts = useTexts()
  if (extra.length === 0 || rungs.length === 0) return null
  return (
    <fieldset class="field">
      <legend class="label legend">{texts.t('share_also')}</legend>
      {extra.map((scope) => (
        <label class="check" key={scope}>
          <input
            type="checkbox"
            checked={also.includes(scope)}
            onChange={({ currentTarget }) => onAlso(currentTarget.checked ? [...also, scope] : also.filter((other) => other !== scope))}
          />
          <span>{capital(actions([scope], texts, names))}</span>
        </label>
      ))}
    </fieldset>
  )
}
