// One sign-in whose ID token and userinfo are encrypted for the portal, by npm's openid-client. Arguments: issuer, client id,
// secret, redirect_uri, algorithm of the signatures, algorithm and content encryption of the JWE. The private key comes as
// JWK on standard input. Prints the claims as JSON.
import { text } from 'node:stream/consumers'
import * as client from 'openid-client'

const [issuer, id, secret, redirectURI, alg, keyAlg, enc] = process.argv.slice(2)
const jwk = JSON.parse(await text(process.stdin))
const [algorithm, usages] = jwk.kty === 'RSA'
  ? [{ name: 'RSA-OAEP', hash: 'SHA-256' }, ['decrypt']]
  : [{ name: 'ECDH', namedCurve: 'P-256' }, ['deriveBits']]
const { kty, n, e, d, p, q, dp, dq, qi, crv, x, y } = jwk
const key = await crypto.subtle.importKey('jwk', { kty, n, e, d, p, q, dp, dq, qi, crv, x, y }, algorithm, false, usages)

const config = await client.discovery(new URL(issuer), id,
  { client_secret: secret, id_token_signed_response_alg: alg, userinfo_signed_response_alg: alg },
  client.ClientSecretBasic(secret), { execute: [client.allowInsecureRequests] })
client.enableNonRepudiationChecks(config)
client.enableDecryptingResponses(config, [enc], { key, alg: keyAlg, kid: jwk.kid })

const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
const answer = await fetch(client.buildAuthorizationUrl(config, {
  redirect_uri: redirectURI, scope: 'openid profile ua.person', state, nonce,
  code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
}), { redirect: 'manual' })
if (answer.status !== 303) throw new Error('authorize answered ' + answer.status + ': ' + await answer.text())
const tokens = await client.authorizationCodeGrant(config, new URL(answer.headers.get('location')), {
  pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
})
const claims = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
console.log(JSON.stringify({ parts: tokens.id_token.split('.').length, claims, userinfo }))
