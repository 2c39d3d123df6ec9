// Files that the bundle carries as text (wrangler rule type Text): style sheets, drawings and the built page scripts.

declare module '*.css' {
  const text: string
  export default text
}

declare module '*.svg' {
  const text: string
  export default text
}

declare module '*/.build/pages/claims.js' {
  const text: string
  export default text
}

declare module '*/.build/pages/copy.js' {
  const text: string
  export default text
}

declare module '*/.build/pages/developers.js' {
  const text: string
  export default text
}

declare module '*/.build/pages/page.js' {
  const text: string
  export default text
}

declare module '*/.build/pages/passkey.js' {
  const text: string
  export default text
}

declare module '*.txt' {
  const text: string
  export default text
}
