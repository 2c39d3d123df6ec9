// The part of the operators' page about rules that hold for every owner: those there are, and a form for one more.
import type { AdminProps } from './admin.tsx'
import type { Translation } from './messages.ts'
import { Icon, PostForm } from './parts.tsx'
import { paths } from './paths.ts'

export type AdminRule = {
  id: string
  /** The operator's own word. */
  name: string
  /** The sentence that is enforced. */
  sentence: string
  /** Seconds since 1970. */
  at: number
}

type Props = { text: Translation } & Pick<AdminProps, 'csrf' | 'rules'>

const EXAMPLE =
  '{ "v": 1, "effect": "forbid", "target": { "all": true }, "scopes": "*",\n  "when": { "client": ["https://app.example/client.json"] } }'

export const PlatformRules = ({ text, csrf, rules }: Props) => {
  const { t, day } = text
  return (
    <section class="stack-4" aria-labelledby="h-rules">
      <h2 id="h-rules">{t('admin.rules')}</h2>
      <p class="soft">{t('admin.rules_text')}</p>
      {rules.length > 0 && (
        <ul class="card list" aria-labelledby="h-rules">
          {rules.map((rule) => (
            <li class="row">
              <Icon name="block" />
              <div>
                <span class="row-title">{rule.name || rule.id}</span>
                <span class="row-meta">{rule.sentence}</span>
                <span class="row-meta">{t('admin.client_since', { date: day({ at: rule.at }) })}</span>
              </div>
              <PostForm action={paths.adminDropRule} csrf={csrf} fields={{ rule: rule.id }} class="contents">
                <button type="submit" class="btn btn-s btn-stop" aria-label={t('admin.rule_drop_name', { name: rule.name || rule.id })}>
                  {t('admin.rule_drop')}
                </button>
              </PostForm>
            </li>
          ))}
        </ul>
      )}
      <details>
        <summary>{t('admin.rule_add')}</summary>
        <PostForm action={paths.adminAddRule} csrf={csrf} class="stack-3">
          <p class="field">
            <label class="label" for="rule-name">
              {t('admin.rule_name')}
            </label>
            <input class="input" id="rule-name" name="name" maxlength={200} autocomplete="off" required />
          </p>
          <p class="field">
            <label class="label" for="rule-json">
              {t('admin.rule_json')}
            </label>
            <textarea class="input" id="rule-json" name="rule" rows={8} maxlength={16_384} spellcheck={false} required>
              {EXAMPLE}
            </textarea>
          </p>
          <p>
            <button type="submit" class="btn">
              {t('admin.rule_add')}
            </button>
          </p>
        </PostForm>
      </details>
    </section>
  )
}
