// Package batch has what several goroutines want written done by one of them, so that a write and a sync serve all who came
// meanwhile. It owns no file and knows no job: what a batch is and how it fails is its caller's.
package batch
