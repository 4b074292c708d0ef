// Package diia is the method "diia": the person signs the challenge with Дія.Підпис in the application Дія on a telephone.
// We are an acquirer of the partner API: at a press we ask for a dynamic request, show its deep link as a
// button and a QR code, and wait until the signature is posted to us.
//
// The notification is not authenticated, so nothing in it counts but the signature: a CAdES over the challenge by a
// certificate of a provider of this method. Whoever has seen the QR code can send notifications; a false one changes nothing.
//
// # Certainty
//
// The wire protocol is public in the SDKs of Diia, not in a specification. Where the code obeys what programs that talk to
// Diia do, a comment says [V] (verified in such code), [D] where a document of Diia says so, [I] where it is our inference
// and [U] where nothing is known. Nothing here was tried against the live service.
//
// The package does not own the page (provider/web draws the QR code), the address of the notification with its secret
// segment, its limits of size and rate and the lock of a login (provider/authflow), nor the rules by which a signature is
// judged (internal/qes, connectors/internal/signing). Sharing of documents is not used: it says what a person has, not who
// holds the telephone.
package diia
