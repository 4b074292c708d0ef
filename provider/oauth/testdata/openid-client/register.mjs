// Registrations by npm's openid-client, each with a whole sign-in by private_key_jwt. Arguments: issuer, initial access token,
// redirect_uri. Prints the subject for each algorithm as JSON.
import * as client from 'openid-client'

const [issuer, token, redirectURI] = process.argv.slice(2)
const kinds = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  PS256: { name: 'RSA-PSS', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' }, // which the library calls Ed25519 (RFC 9864)
}
const result = {}
for (const [alg, kind] of Object.entries(kinds)) {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(kind, true, ['sign', 'verify'])
  const { key_ops, ext, ...jwk } = await crypto.subtle.exportKey('jwk', publicKey)
  jwk.kid = 'of ' + alg
  const config = await client.dynamicClientRegistration(new URL(issuer), {
    client_name: 'openid-client', redirect_uris: [redirectURI], token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: alg, id_token_signed_response_alg: 'ES256', jwks: { keys: [jwk] },
  }, client.PrivateKeyJwt({ key: privateKey, kid: jwk.kid }), { initialAccessToken: token, execute: [client.allowInsecureRequests] })
  client.enableNonRepudiationChecks(config)

  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectURI, scope: 'openid profile', state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  })
  const answer = await fetch(url, { redirect: 'manual' })
  if (answer.status !== 303) throw new Error('authorize answered ' + answer.status + ': ' + await answer.text())
  const tokens = await client.authorizationCodeGrant(config, new URL(answer.headers.get('location')), {
    pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true,
  })
  result[alg] = tokens.claims().sub

  const about = config.clientMetadata()
  const management = { headers: { authorization: 'Bearer ' + about.registration_access_token } }
  const read = await fetch(about.registration_client_uri, management)
  if (read.status !== 200 || (await read.json()).client_name !== 'openid-client') throw new Error('reading answered ' + read.status)
  const gone = await fetch(about.registration_client_uri, { method: 'DELETE', ...management })
  if (gone.status !== 204) throw new Error('deleting answered ' + gone.status)
}
console.log(JSON.stringify(result))
