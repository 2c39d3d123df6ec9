// Icons, drawn into the page itself. A sprite of its own file would do in a tab, but Chromium opens a wallet's sign-in window only when the
// page has loaded, and a page that is not shown yet never ends loading an external `<use>`: the window would never come.
import icons from './assets/icons.svg'

/** Symbol name -> its view box and its drawing, from assets/icons.svg. */
const symbols: ReadonlyMap<string, { viewBox: string; drawing: string }> = new Map(
  [...icons.matchAll(/<symbol id="([\w-]+)" viewBox="([\d ]+)">(.*?)<\/symbol>/g)].map(([, id = '', viewBox = '', drawing = '']) => [
    id,
    { viewBox, drawing },
  ]),
)

const Drawing = ({ id, style }: { id: string; style: string }) => {
  const { viewBox, drawing } = symbols.get(id) ?? { viewBox: '0 0 24 24', drawing: '' }
  return (
    <svg class={style} viewBox={viewBox} aria-hidden="true">
      <g dangerouslySetInnerHTML={{ __html: drawing }} />
    </svg>
  )
}

export const Logo = () => <Drawing id="logo" style="logo" />

/** A symbol of icons.svg; it says nothing to a screen reader, the words beside it do. */
export const Icon = ({ name, small }: { name: string; small?: boolean }) => (
  <Drawing id={`i-${name}`} style={small === true ? 'icon icon-s' : 'icon'} />
)
