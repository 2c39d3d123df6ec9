// The mails that this server sends, in all languages of the pages. Plain text. They hold nothing that a stranger could write: no name
// of an app (which is its own word), only the host that the person goes on to.

export type CodeMail = {
  /** '483 920' */
  code: string
  /** Where the code may be typed. */
  origin: string
  minutes: number
  /** Signing in, seeing what is remembered about an address, or showing it to go on to `place`. */
  use: { kind: 'sign-in' } | { kind: 'proofs' } | { kind: 'claims'; place: string }
}
type Text = { subject: string; text: string }
type Language = 'en' | 'de' | 'pt'

const host = (origin: string): string => new URL(origin).host

const texts: Record<Language, (mail: CodeMail) => Text> = {
  en: ({ code, origin, minutes, use }) => ({
    subject: `Your code for ${host(origin)}`,
    text: [
      code,
      `Type this code only at ${origin}. It is good for ${minutes} minutes.`,
      use.kind === 'sign-in'
        ? `It signs you in at ${host(origin)}.`
        : use.kind === 'proofs'
          ? `It shows you what ${host(origin)} remembers about this address.`
          : `It shows that this address is yours, to open a private item with ${use.place}.`,
      'If you did not start this, ignore this mail. Nobody will ask you for this code.',
    ].join('\n\n'),
  }),
  de: ({ code, origin, minutes, use }) => ({
    subject: `Ihr Code für ${host(origin)}`,
    text: [
      code,
      `Geben Sie diesen Code nur auf ${origin} ein. Er gilt ${minutes} Minuten.`,
      use.kind === 'sign-in'
        ? `Er meldet Sie bei ${host(origin)} an.`
        : use.kind === 'proofs'
          ? `Er zeigt Ihnen, was ${host(origin)} sich zu dieser Adresse merkt.`
          : `Er zeigt, dass diese Adresse Ihnen gehört, um mit ${use.place} etwas Privates zu öffnen.`,
      'Wenn Sie das nicht waren, ignorieren Sie diese Mail. Niemand wird Sie nach diesem Code fragen.',
    ].join('\n\n'),
  }),
  pt: ({ code, origin, minutes, use }) => ({
    subject: `O seu código para ${host(origin)}`,
    text: [
      code,
      `Escreva este código apenas em ${origin}. É válido durante ${minutes} minutos.`,
      use.kind === 'sign-in'
        ? `Serve para entrar em ${host(origin)}.`
        : use.kind === 'proofs'
          ? `Mostra-lhe o que ${host(origin)} se lembra deste endereço.`
          : `Mostra que este endereço é seu, para abrir um item privado com ${use.place}.`,
      'Se não foi você, ignore esta mensagem. Ninguém lhe vai pedir este código.',
    ].join('\n\n'),
  }),
}

export type InvitationMail = { origin: string; days: number }

const invitations: Record<Language, (mail: InvitationMail) => Text> = {
  en: ({ origin, days }) => ({
    subject: `You are invited to ${host(origin)}`,
    text: [
      `You can sign in at ${origin}/sign-in with this address, within ${days} days. A code comes by mail then.`,
      `${host(origin)} looks after whom you share what with, at the services that keep your things.`,
      'If you do not expect this, ignore this mail. Nothing happens then.',
    ].join('\n\n'),
  }),
  de: ({ origin, days }) => ({
    subject: `Sie sind zu ${host(origin)} eingeladen`,
    text: [
      `Sie können sich innerhalb von ${days} Tagen mit dieser Adresse auf ${origin}/sign-in anmelden. Dann kommt ein Code per Mail.`,
      `${host(origin)} hütet, mit wem Sie was teilen, bei den Diensten, die Ihre Sachen aufbewahren.`,
      'Wenn Sie das nicht erwarten, ignorieren Sie diese Mail. Dann geschieht nichts.',
    ].join('\n\n'),
  }),
  pt: ({ origin, days }) => ({
    subject: `Está convidado para ${host(origin)}`,
    text: [
      `Pode entrar em ${origin}/sign-in com este endereço, dentro de ${days} dias. Depois vem um código por correio.`,
      `${host(origin)} cuida de com quem partilha o quê, nos serviços que guardam as suas coisas.`,
      'Se não esperava isto, ignore esta mensagem. Nada acontece.',
    ].join('\n\n'),
  }),
}

/** Subject and body of an invitation. */
export const invitationMail = (lang: Language, mail: InvitationMail): Text => {
  const { subject, text } = invitations[lang](mail)
  return { subject, text: `${text}\n` }
}

/** Subject and body of the mail with a code. */
export const codeMail = (lang: Language, mail: CodeMail): Text => {
  const { subject, text } = texts[lang](mail)
  return { subject, text: `${text}\n` }
}

/** In which language the owner reads is not known here: all are in one mail. Who and what, the server does not tell by mail. */
const emergencies: Record<Language, (origin: string) => string> = {
  en: (origin) =>
    `Somebody declared an emergency and was let in to something of yours, as your rules or those of your organisation allow, for 15 minutes at most. Who and what is in your wallet, under what happened. You can stop it there, or at ${origin}.`,
  de: (origin) =>
    `Jemand hat einen Notfall erklärt und Zugang zu etwas von Ihnen bekommen, wie es Ihre Regeln oder die Ihrer Organisation erlauben, für höchstens 15 Minuten. Wer und was, steht in Ihrem Wallet unter dem, was geschehen ist. Beenden können Sie es dort oder auf ${origin}.`,
  pt: (origin) =>
    `Alguém declarou uma emergência e recebeu acesso a algo seu, como as suas regras ou as da sua organização permitem, por 15 minutos no máximo. Quem e o quê está na sua carteira, no que aconteceu. Pode terminá-lo aí ou em ${origin}.`,
}

/** Subject and body of the mail that tells an owner of an emergency (POLICY 8d). */
export const emergencyMail = (origin: string): Text => ({
  subject: `Emergency access · Notfallzugang · Acesso de emergência (${host(origin)})`,
  text: `${Object.values(emergencies)
    .map((text) => text(origin))
    .join('\n\n')}\n`,
})
