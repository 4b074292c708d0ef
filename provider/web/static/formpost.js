// Sends the answer to the portal at once; without scripts the person presses the button. Not a module: it has to run
// wherever a portal's tests do.
document.getElementById('answer').submit();
