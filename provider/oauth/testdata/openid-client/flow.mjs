// One sign-in by npm's openid-client, as a portal would write it: discovery, authorization request with PKCE, the browser's
// redirect, code exchange, ID token, userinfo. Arguments: issuer, client id, secret ("" for a public client), redirect_uri,
// algorithm of the ID token. Prints the claims as JSON.
import * as client from 'openid-client'

const [issuer, id, secret, redirectURI, alg] = process.argv.slice(2)
const config = await client.discovery(
  new URL(issuer), id, { client_secret: secret || undefined, id_token_signed_response_alg: alg },
  secret ? client.ClientSecretBasic(secret) : client.None(),
  { execute: [client.allowInsecureRequests] })
client.enableNonRepudiationChecks(config) // verifies the signature of the ID token by the published keys

const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectURI,
  scope: 'openid profile ua.person ua.organization',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
  max_age: '3600',
})

const answer = await fetch(url, { redirect: 'manual' })
if (answer.status !== 303) throw new Error('authorize answered ' + answer.status + ': ' + await answer.text())

const tokens = await client.authorizationCodeGrant(config, new URL(answer.headers.get('location')), {
  pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true, maxAge: 3600,
})
const claims = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
console.log(JSON.stringify({ claims, userinfo }))
