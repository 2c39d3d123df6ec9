// The first page, for somebody who is not signed in: what this is, and which of three doors is theirs.
import { type PageContext, WideFrame } from './layout.tsx'
import { translate } from './messages.ts'
import { paths } from './paths.ts'

export type HomeProps = { page: PageContext }

export const HomePage = ({ page }: HomeProps) => {
  const { t } = translate(page.lang)
  const specimen = [
    ['home.who', 'home.who_note'],
    ['home.may', 'home.may_note'],
    ['home.what', 'home.what_note'],
    ['home.until', 'home.until_note'],
  ] as const
  return (
    <WideFrame
      page={page}
      title={page.host}
      mainClass="page home"
      end={
        <a class="btn btn-quiet btn-s" href={paths.signIn}>
          {t('sign_in.title')}
        </a>
      }
    >
      <div class="stack-6">
        <h1 class="home-title">{t('home.title')}</h1>
        <p class="home-lead">{t('home.lead')}</p>
      </div>
      <dl class="specimen">
        {specimen.map(([word, note]) => (
          <div>
            <dt>{t(word)}</dt>
            <dd>{t(note)}</dd>
          </div>
        ))}
      </dl>
      <div class="doors">
        <section class="stack-3">
          <h2>{t('home.share')}</h2>
          <p>{t('home.share_text')}</p>
          <p>
            <a class="btn btn-main" href={paths.signIn}>
              {t('sign_in.title')}
            </a>
          </p>
        </section>
        <section class="stack-3">
          <h2>{t('home.link')}</h2>
          <p>{t('home.link_text')}</p>
        </section>
        <section class="stack-3">
          <h2>{t('home.service')}</h2>
          <p>{t('home.service_text')}</p>
          <p>
            <a href={paths.developers}>{t('home.developers')}</a>
          </p>
        </section>
      </div>
    </WideFrame>
  )
}
