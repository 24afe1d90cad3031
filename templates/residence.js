(function () {
  var code = location.hash.slice(1);
  var field = document.getElementById("code");
  if (!code || !field) { return; }
  if (!field.value) { field.value = code; }
  document.getElementById("language").hash = code;
  history.replaceState(null, "", location.pathname + location.search);
})();
