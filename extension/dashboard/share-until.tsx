// Until when: presets a person thinks in, or a date; and, folded away by the dialog, a first day. Everything in the person's own time zone.
import { useTexts } from '../ui/context.ts'
import type { Key } from '../ui/texts.ts'
import { dayField, daysToFriday, endOfDay } from '../ui/time.ts'

const PRESETS = ['today', 'friday', 'month', 'none', 'date'] as const
export type Until = { preset: (typeof PRESETS)[number]; date: string; from: string }

const MONTH_DAYS = 30

const endOf = ({ preset, date }: Until, now: number): number | undefined => {
  switch (preset) {
    case 'today':
      return endOfDay(now, 0)
    case 'friday':
      return endOfDay(now, daysToFriday(now))
    case 'month':
      return endOfDay(now, MONTH_DAYS)
    case 'none':
      return undefined
    case 'date':
      return dayField(date, 'end')
    default:
      return preset satisfies never
  }
}

/** `from` and `until` of the share; undefined when the dates make no sense. */
export const untilOf = (choice: Until, now: number): { from?: number; until?: number } | undefined => {
  const until = endOf(choice, now)
  const from = dayField(choice.from, 'start')
  if (choice.preset === 'date' && until === undefined) return undefined
  if (until !== undefined && (until <= now || (from !== undefined && until <= from))) return undefined
  return { ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) }
}

const KEYS: Record<Until['preset'], Key> = {
  today: 'until_today',
  friday: 'until_friday',
  month: 'until_month',
  none: 'until_none',
  date: 'until_date',
}

/** `name` keeps the fields apart where a page has several. */
type UntilFieldProps = { until: Until; onChange: (until: Until) => void; name?: string }

export const UntilField = ({ until, now, onChange, name = 'share' }: UntilFieldProps & { now: number }) => {
  const { t } = useTexts()
  const isFriday = daysToFriday(now) === 7
  return (
    <fieldset class="field">
      <legend class="label legend">{t('share_until')}</legend>
      <div class="choices">
        {PRESETS.map((preset) => (
          <label class="choice" key={preset}>
            <input
              type="radio"
              name={`${name}-until`}
              value={preset}
              checked={until.preset === preset}
              onChange={() => onChange({ ...until, preset })}
            />
            <span>{t(preset === 'friday' && isFriday ? 'until_next_friday' : KEYS[preset])}</span>
          </label>
        ))}
      </div>
      {until.preset === 'date' && (
        <div class="field">
          <label class="label" for={`${name}-date`}>
            {t('until_which')}
          </label>
          <input
            class="input"
            id={`${name}-date`}
            type="date"
            value={until.date}
            onInput={({ currentTarget }) => onChange({ ...until, date: currentTarget.value })}
          />
        </div>
      )}
    </fieldset>
  )
}

export const FromField = ({ until, onChange }: UntilFieldProps) => {
  const { t } = useTexts()
  return (
    <div class="field">
      <label class="label" for="share-from">
        {t('starts_on')}
      </label>
      <input
        class="input"
        id="share-from"
        type="date"
        value={until.from}
        onInput={({ currentTarget }) => onChange({ ...until, from: currentTarget.value })}
      />
    </div>
  )
}
