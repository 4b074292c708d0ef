// The peer of bench-provider: npm oidc-provider with its own memory store, ES256 and its own development pages.
import { generateKeyPairSync } from 'node:crypto'
import { Provider } from 'oidc-provider'

const [port, callback] = process.argv.slice(2)
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const key = { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'bench' }
const secret = 'secret of the measured client, 32 bytes'

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys: [key] },
  cookies: { keys: ['cookie key of a measurement'] },
  clients: [{
    client_id: 'bench', client_secret: secret, redirect_uris: [callback], response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    token_endpoint_auth_method: 'client_secret_basic', id_token_signed_response_alg: 'ES256', scope: 'openid profile offline_access',
  }],
  scopes: ['openid', 'profile', 'offline_access'],
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    clientCredentials: { enabled: true },
  },
  clientBasedCORS: () => false,
  findAccount: async (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, name: 'Тестенко Олена Петрівна' }) }),
  issueRefreshToken: async () => true,
})
provider.on('server_error', (_ctx, error) => console.error(error))
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'))
