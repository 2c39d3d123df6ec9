// Files that the bundle carries as text (wrangler rule type Text): what client/vite.config.ts builds.

declare module '*.css' {
  const text: string
  export default text
}

declare module '*.svg' {
  const text: string
  export default text
}

declare module '*/.build/vault-client/app.js' {
  const text: string
  export default text
}

declare module '*/.build/vault-client/open.js' {
  const text: string
  export default text
}
