package config

// DefaultPath is where the administrator's file is.
func DefaultPath() string { return "/Library/Application Support/brama-agent/agent.yaml" }

// platformModules are the places where the installers of token makers put their modules.
func platformModules() []string {
	return []string{
		"/Library/Frameworks/eToken.framework/Versions/Current/libeToken.dylib",
		"/Library/OpenSC/lib/opensc-pkcs11.so",
	}
}
