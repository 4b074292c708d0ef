// A portal that registers itself and asks as strictly as can be: keys instead of a secret (private_key_jwt), signed requests
// (JAR) pushed ahead (PAR), signed answers (JARM), tokens bound to a key (DPoP). Arguments: issuer, redirect_uri. It writes the
// address to go to, reads the one that the browser came back to, refreshes, and writes what it has with the address to sign out at.
import { createInterface } from 'node:readline/promises'
import * as oidc from 'openid-client'

const [issuer, redirect_uri] = process.argv.slice(2)
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const write = (value) => console.log(JSON.stringify(value))

const { privateKey: key, publicKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
const { key_ops, ext, ...jwk } = await crypto.subtle.exportKey('jwk', publicKey)
const signing = { key, kid: 'one' }
const config = await oidc.dynamicClientRegistration(new URL(issuer), {
  client_name: 'strict', redirect_uris: [redirect_uri], post_logout_redirect_uris: [redirect_uri], profile: 'fapi2-message-signing', dpop_bound_access_tokens: true,
  grant_types: ['authorization_code', 'refresh_token'], token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256',
  id_token_signed_response_alg: 'ES256', authorization_signed_response_alg: 'ES256', jwks: { keys: [{ ...jwk, kid: 'one' }] },
}, oidc.PrivateKeyJwt(signing), { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks, oidc.useJwtResponseMode] })
const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'))

const verifier = oidc.randomPKCECodeVerifier()
const state = oidc.randomState()
const nonce = oidc.randomNonce()
const signed = await oidc.buildAuthorizationUrlWithJAR(config, {
  redirect_uri, scope: 'openid profile', state, nonce, ui_locales: 'uk',
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
}, signing)
write({ url: (await oidc.buildAuthorizationUrlWithPAR(config, signed.searchParams, { DPoP })).href })

const back = new URL((await lines.next()).value)
const first = await oidc.authorizationCodeGrant(config, back,
  { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }, undefined, { DPoP })
const second = await oidc.refreshTokenGrant(config, first.refresh_token, undefined, { DPoP })
const info = await oidc.fetchUserInfo(config, second.access_token, first.claims().sub, { DPoP })
write({
  url: oidc.buildEndSessionUrl(config, { id_token_hint: second.id_token, post_logout_redirect_uri: redirect_uri, state: 'out' }).href,
  name: info.name, type: second.token_type, renewed: second.claims().jti !== first.claims().jti, answer: [...back.searchParams.keys()],
})

await lines.next() // the browser has signed out
try {
  await oidc.refreshTokenGrant(config, second.refresh_token ?? first.refresh_token, undefined, { DPoP })
  write({ error: '' })
} catch (e) {
  write({ error: e.error })
}
process.exit()
