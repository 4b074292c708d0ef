// Package layers holds no code: its test is the import rules of the project, one table, so that the order of the layers
// is a fact and not a convention.
package layers
