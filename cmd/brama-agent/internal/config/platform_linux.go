package config

import "path/filepath"

// DefaultPath is where the administrator's file is.
func DefaultPath() string { return "/etc/brama-agent/agent.yaml" }

// platformModules are the places where packages of token makers put their modules. The names of the makers' libraries on
// Linux are not published; the patterns take them by the names they have on Windows.
func platformModules() []string {
	var list []string
	for _, pattern := range []string{
		"/opt/iit/*/*/[Pp][Kk][Cc][Ss]11.EKey*.so", "/opt/iit/*/*/libpkcs11.EKey*.so",
		"/opt/iit/*/*/[Pp][Kk][Cc][Ss]11.NCMGryada*.so", "/opt/iit/*/*/[Pp][Kk][Cc][Ss]11.CModGryada*.so",
		"/usr/lib/*/pkcs11/*av337*.so", "/usr/lib/*/libav337cryptoki*.so", "/usr/lib/libav337cryptoki*.so",
		"/usr/lib/*/libavcryptokinxt.so", "/usr/lib/libavcryptokinxt.so", "/usr/lib/*/libefitkeynxt.so", "/usr/lib/libefitkeynxt.so",
		"/usr/lib/*/libjcPKCS11ua.so", "/usr/lib/libjcPKCS11ua.so", "/usr/lib64/libjcPKCS11ua.so",
		"/usr/lib/*/libeTPkcs11.so", "/usr/lib/libeTPkcs11.so", "/usr/lib64/libeTPkcs11.so",
		"/usr/lib/*/libplcpkcs11.so", "/usr/lib/libplcpkcs11.so",
		"/usr/lib/*/libcihsm.so", "/usr/lib/libcihsm.so",
		"/usr/lib/*/opensc-pkcs11.so", "/usr/lib64/opensc-pkcs11.so",
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			panic("config: internal error: bad pattern " + pattern)
		}
		list = append(list, found...)
	}
	return list
}
