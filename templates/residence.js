(function () {
  var code = location.hash.slice(1);
  var field = document.getElementById("code");
  if (!code || !field) { return; }
  if (!field.value) { field.value = code; }
  document.querySelectorAll("header a, main > p > a").forEach(function (link) { link.hash = code; });
  history.replaceState(null, "", location.pathname + location.search);
})();
