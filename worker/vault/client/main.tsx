// Entry of the owner's pages: the path says which one. Going from one to the other is an ordinary link.
import { render } from 'preact'
import './app.css'
import { ListPage } from './list.tsx'
import { ThingPage } from './thing.tsx'

const root = document.getElementById('app')
const thing = /^\/things\/([\w-]+)$/.exec(location.pathname)?.[1]
if (root !== null) {
  root.replaceChildren()
  render(thing === undefined ? <ListPage /> : <ThingPage id={thing} />, root)
}
