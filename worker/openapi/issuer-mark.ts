// Where the document, made before anybody knows who will serve it, has its issuer.

/** Stands for the issuer in the built document; replaced by an origin, which needs no escaping in JSON. */
export const ISSUER_MARK = 'https://issuer.invalid'
