package signing

import (
	"crypto/rand"
	"fmt"
	"math/big"
)

// MatchingCode returns two digits, 10 to 99, that tie page and telephone.
func MatchingCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(90))
	if err != nil {
		panic("signing: internal error: no randomness")
	}
	return fmt.Sprint(n.Int64() + 10)
}
