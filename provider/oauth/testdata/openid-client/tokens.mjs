// The life of tokens by npm's openid-client: a pushed request and a code bound to a DPoP key, with nonces of the server, refresh
// with a narrower scope, userinfo, introspection, revocation, client credentials. Arguments: issuer, client id, secret,
// redirect_uri. Prints what came as JSON.
import * as client from 'openid-client'

const [issuer, id, secret, redirectURI] = process.argv.slice(2)
const config = await client.discovery(
  new URL(issuer), id, { client_secret: secret }, client.ClientSecretBasic(secret), { execute: [client.allowInsecureRequests] })
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))

const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
const url = await client.buildAuthorizationUrlWithPAR(config, {
  redirect_uri: redirectURI,
  scope: 'openid profile offline_access',
  prompt: 'consent',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
}, { DPoP })
const answer = await fetch(url, { redirect: 'manual' })
if (answer.status !== 303) throw new Error('authorize answered ' + answer.status + ': ' + await answer.text())
const first = await client.authorizationCodeGrant(config, new URL(answer.headers.get('location')), {
  pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
}, undefined, { DPoP })

const second = await client.refreshTokenGrant(config, first.refresh_token, { scope: 'openid' }, { DPoP })
const userinfo = await client.fetchUserInfo(config, second.access_token, first.claims().sub, { DPoP })
const introspection = await client.tokenIntrospection(config, second.access_token)
await client.tokenRevocation(config, second.refresh_token)
const after = await client.tokenIntrospection(config, second.access_token)
let refused
try {
  await client.refreshTokenGrant(config, second.refresh_token, undefined, { DPoP })
} catch (e) {
  refused = e.error
}
const own = await client.clientCredentialsGrant(config, { scope: 'orders.read' }, { DPoP })
console.log(JSON.stringify({
  first: { scope: first.scope, token_type: first.token_type, sub: first.claims().sub },
  second: { scope: second.scope, token_type: second.token_type, sub: second.claims().sub },
  userinfo, introspection, after, refused,
  own: { scope: own.scope, token_type: own.token_type },
}))
