package config

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// folder returns a folder of the system itself: environment variables belong to the person.
func folder(id *windows.KNOWNFOLDERID) string {
	path, err := windows.KnownFolderPath(id, 0)
	if err != nil {
		return ""
	}
	return path
}

// DefaultPath is where the administrator's file is.
func DefaultPath() string {
	return filepath.Join(folder(windows.FOLDERID_ProgramData), "brama-agent", "agent.yaml")
}

// platformModules are the places where the installers of token makers put their modules. Those of 32 bits are loaded by
// the 32-bit agent beside this one.
func platformModules() []string {
	const iit = "Institute of Informational Technologies"
	var list []string
	for _, programs := range []string{folder(windows.FOLDERID_ProgramFilesX64), folder(windows.FOLDERID_ProgramFilesX86)} {
		if programs == "" {
			continue
		}
		for _, pattern := range []string{
			filepath.Join(iit, "EKeys", "*", "PKCS11.EKey*.dll"),
			filepath.Join(iit, "*", "*", "PKCS11.NCMGryada301.dll"),
			filepath.Join(iit, "*", "*", "PKCS11.CModGryada61.dll"),
			filepath.Join("OpenSC Project", "OpenSC", "pkcs11", "opensc-pkcs11.dll"),
		} {
			if found, err := filepath.Glob(filepath.Join(programs, pattern)); err == nil {
				list = append(list, found...)
			}
		}
	}
	for _, system := range []string{folder(windows.FOLDERID_System), folder(windows.FOLDERID_SystemX86)} {
		if system == "" {
			continue
		}
		for _, name := range []string{"PKCS11.EKeyAlmaz1C.dll", "PKCS11.EKeyCrystal1.dll", "Av337CryptokiD.dll", "avcryptokinxt.dll",
			"efitkeynxt.dll", "plcpkcs11.dll", "jcPKCS11ua.dll", "cihsm.dll", "eTPKCS11.dll"} {
			list = append(list, filepath.Join(system, name))
		}
	}
	return list
}
