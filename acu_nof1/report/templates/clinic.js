(function () {
  "use strict";
  var body = document.querySelector("#everybody tbody");
  var rows = Array.prototype.slice.call(body.rows);
  var heads = Array.prototype.slice.call(document.querySelectorAll("#everybody thead th"));
  var find = document.getElementById("find");
  var shown = document.getElementById("shown");
  var pattern = {{ shown | tojson }};
  function key(row, column) {
    var cell = row.cells[column];
    var given = cell.getAttribute("data-key");
    if (given === null) { return cell.textContent.trim().toLowerCase(); }
    return given === "" ? Infinity : Number(given);
  }
  function sort(column, head) {
    var down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    rows.slice().sort(function (one, other) {
      var a = key(one, column), b = key(other, column);
      if (a === b) { return rows.indexOf(one) - rows.indexOf(other); }
      if (a === Infinity || b === Infinity) { return a === Infinity ? 1 : -1; }
      return (a < b ? -1 : 1) * (down ? -1 : 1);
    }).forEach(function (row) { body.appendChild(row); });
  }
  function filter() {
    var wanted = find.value.trim().toLowerCase(), count = 0;
    rows.forEach(function (row) {
      var held = row.textContent.toLowerCase().indexOf(wanted) >= 0;
      row.hidden = !held;
      count += held ? 1 : 0;
    });
    shown.textContent = pattern.replace("{shown}", count).replace("{of}", rows.length);
  }
  heads.forEach(function (head, column) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () { sort(column, head); });
  });
  find.addEventListener("input", filter);
  document.querySelector(".acu-find").hidden = false;
  filter();
}());
