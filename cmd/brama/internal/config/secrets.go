package config

import (
	"bytes"
	"fmt"
	"os"

	"brama/connectors/levels"
)

// maxCredential bounds a secret of another system.
const maxCredential = 4 << 10

// Credential reads a secret of one line that the field names by a file or a variable of the environment. Errors name the
// field, and never what was read.
func (c *Config) Credential(field, file, env string) (string, error) {
	if env != "" {
		v, ok := os.LookupEnv(env)
		if !ok {
			return "", fmt.Errorf("%s_env: the environment has no %s", field, env)
		}
		return oneLine(field+"_env", []byte(v))
	}
	b, err := c.readSecretFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_file: %w", field, err)
	}
	return oneLine(field+"_file", b)
}

func oneLine(field string, b []byte) (string, error) {
	line := bytes.TrimRight(b, "\r\n")
	if len(line) == 0 || len(line) > maxCredential || bytes.ContainsAny(line, "\r\n\x00") {
		return "", fmt.Errorf("%s: not one line of at most %d octets", field, maxCredential)
	}
	return string(line), nil
}

// PINOf reads the PIN of a token from a file. The caller clears it.
func (c *Config) PINOf(field, file string) ([]byte, error) {
	b, err := c.readSecretFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	pin := bytes.TrimRight(b, "\r\n")
	if len(pin) == 0 || len(pin) > maxPIN || bytes.ContainsAny(pin, "\r\n\x00") {
		clear(b)
		return nil, fmt.Errorf("%s: %s is not one line with a PIN", field, file)
	}
	return pin, nil
}

// ReadSecretFile reads a file that others on this machine may not read: a container.
func (c *Config) ReadSecretFile(field, file string) ([]byte, error) {
	b, err := c.readSecretFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return b, nil
}

// ReadFile reads a file with nothing secret: a certificate.
func (c *Config) ReadFile(field, file string) ([]byte, error) {
	b, err := readFile(c.Path(file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return b, nil
}

// Levels reads the level policy; nil is the one in the program.
func (c *Config) Levels() (*levels.Policy, error) {
	if c.LevelsFile == "" {
		return nil, nil
	}
	b, err := c.ReadFile("levels_file", c.LevelsFile)
	if err != nil {
		return nil, err
	}
	p, err := levels.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("levels_file: %s: %w", c.LevelsFile, err)
	}
	return p, nil
}
