// One sign-in by npm's openid-client by the stricter ways of asking: pushed, as a signed request object, with a signed
// answer, with tokens bound to a DPoP key. The one argument is JSON: issuer, id, secret or key (a private JWK, ES256),
// redirectURI, alg of ID tokens, and par, jar, jarm, dpop as booleans. Prints the claims as JSON.
import * as client from 'openid-client'

const want = JSON.parse(process.argv[2])
const key = want.key && await crypto.subtle.importKey('jwk', want.key, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
const signing = key && { key, kid: want.key.kid }
const config = await client.discovery(
  new URL(want.issuer), want.id, { id_token_signed_response_alg: want.alg, authorization_signed_response_alg: want.alg },
  want.secret ? client.ClientSecretPost(want.secret) : client.PrivateKeyJwt(signing),
  { execute: [client.allowInsecureRequests] })
client.enableNonRepudiationChecks(config)
if (want.jarm) client.useJwtResponseMode(config)

const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
const params = {
  redirect_uri: want.redirectURI,
  scope: 'openid profile ua.person',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
  claims: JSON.stringify({ id_token: { acr: { essential: true, values: ['substantial'] } } }),
}
const DPoP = want.dpop && client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
let url = want.jar ? await client.buildAuthorizationUrlWithJAR(config, params, signing) : client.buildAuthorizationUrl(config, params)
if (want.par) url = await client.buildAuthorizationUrlWithPAR(config, url.searchParams, DPoP && { DPoP })

const answer = await fetch(url, { redirect: 'manual' })
if (answer.status !== 303) throw new Error('authorize answered ' + answer.status + ': ' + await answer.text())

const tokens = await client.authorizationCodeGrant(config, new URL(answer.headers.get('location')), {
  pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
}, undefined, DPoP && { DPoP })
const claims = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub, DPoP && { DPoP })
console.log(JSON.stringify({ claims, userinfo, type: tokens.token_type, parameters: [...url.searchParams.keys()] }))
