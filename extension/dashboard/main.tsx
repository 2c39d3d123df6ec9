// Full page of the wallet: the frame with its sections. Which section shows is the hash, so that any of them can be linked to
// (`dashboard.html#/thing/<id>`, `#/share/<id>`).
import { useEffect, useRef } from 'preact/hooks'
import type { Server } from '../messages.ts'
import { useAnswer, useTexts } from '../ui/context.ts'
import { startPage } from '../ui/frame.tsx'
import { Avatar, Icon, type IconName, Logo, ServiceMark } from '../ui/parts.tsx'
import { waitingIn } from '../ui/requests.tsx'
import type { Key } from '../ui/texts.ts'
import { plain } from '../ui/words.ts'
import { ActivitySection } from './activity.tsx'
import { ConnectSection } from './connect.tsx'
import { ProofsSection } from './proofs.tsx'
import { RequestsSection } from './requests.tsx'
import { type Route, useRoute } from './route.ts'
import { ServicesSection } from './services.tsx'
import { SettingsSection } from './settings.tsx'
import { SharedSection } from './shared.tsx'
import { PersonSection, ThingSection } from './thing.tsx'

const NAV: readonly { name: Route['name']; key: Key; icon: IconName }[] = [
  { name: 'shared', key: 'nav_shared', icon: 'share' },
  { name: 'requests', key: 'nav_requests', icon: 'inbox' },
  { name: 'activity', key: 'nav_activity', icon: 'activity' },
  { name: 'proofs', key: 'nav_proofs', icon: 'proof' },
  { name: 'services', key: 'nav_services', icon: 'plug' },
  { name: 'settings', key: 'nav_settings', icon: 'settings' },
]

/** The section of the navigation that a route belongs to. */
const sectionOf = ({ name }: Route): Route['name'] => {
  if (name === 'thing' || name === 'person' || name === 'share') return 'shared'
  return name === 'connect' ? 'settings' : name
}

/** Who is connected where. A server that does not say the owner's address is named instead. */
const Me = ({ servers }: { servers: readonly Server[] }) => {
  const { t } = useTexts()
  const email = servers.find((server) => server.email !== undefined)?.email
  const hosts = servers.map(({ host }) => host).join(', ')
  if (servers.length === 0) return <div class="me soft">{t('nav_nobody')}</div>
  return (
    <div class="me">
      {email === undefined ? <ServiceMark name={hosts} /> : <Avatar name={email} />}
      <span class="me-lines">
        {email !== undefined && <strong class="one-line">{plain(email)}</strong>}
        <span class={email === undefined ? 'one-line' : 'one-line soft'}>{hosts}</span>
      </span>
    </div>
  )
}

const Side = ({ route }: { route: Route }) => {
  const { t } = useTexts()
  const wallet = useAnswer({ kind: 'wallet' })
  const servers = wallet?.ok ? wallet.value.servers : []
  const waiting = waitingIn(useAnswer({ kind: 'requests' })).length
  const current = useRef<HTMLAnchorElement>(null)
  const section = sectionOf(route)
  useEffect(() => current.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), [section])
  return (
    <header class="side">
      <a class="brand" href="#/">
        <Logo />
        Latchkey
      </a>
      <nav class="nav" aria-label={t('nav_label')}>
        {NAV.map(({ name, key, icon }) => {
          const isCurrent = name === section
          return (
            <a
              key={name}
              href={name === 'shared' ? '#/' : `#/${name}`}
              {...(isCurrent ? { 'aria-current': 'page' as const, ref: current } : {})}
            >
              <Icon name={icon} />
              {t(key)}
              {name === 'requests' && waiting > 0 && <span class="count">{waiting}</span>}
            </a>
          )
        })}
      </nav>
      <Me servers={servers} />
    </header>
  )
}

const Section = ({ route }: { route: Route }) => {
  switch (route.name) {
    case 'shared':
      return <SharedSection sharing={false} />
    case 'share':
      return <SharedSection sharing={true} thing={route.id} />
    case 'thing':
      return <ThingSection id={route.id ?? ''} />
    case 'person':
      return <PersonSection id={route.id ?? ''} />
    case 'requests':
      return <RequestsSection />
    case 'activity':
      return <ActivitySection />
    case 'services':
      return <ServicesSection />
    case 'proofs':
      return <ProofsSection />
    case 'settings':
      return <SettingsSection />
    case 'connect':
      return <ConnectSection address={route.id} />
    default:
      return route.name satisfies never
  }
}

const NARROW: ReadonlySet<Route['name']> = new Set(['requests', 'activity', 'services', 'proofs', 'settings', 'connect', 'thing', 'person'])

const Dashboard = () => {
  const route = useRoute()
  const { t } = useTexts()
  const section = NAV.find(({ name }) => name === sectionOf(route))
  useEffect(() => {
    document.title = section === undefined ? 'Latchkey' : `${t(section.key)} – Latchkey`
  }, [section, t])
  return (
    <>
      <Side route={route} />
      <main class={`app-main${NARROW.has(route.name) ? ' app-narrow' : ''}`}>
        <Section route={route} />
      </main>
    </>
  )
}

void startPage(<Dashboard />, { follow: true })
