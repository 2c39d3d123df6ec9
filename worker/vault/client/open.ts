// Goes on by itself where scripts run: the page of a link asks for permission without a click. The button does the same.
const form = document.getElementById('open')
if (form instanceof HTMLFormElement) form.requestSubmit()
