// Areas on a map: what is drawn stands in the text below it as GeoJSON in WGS-84, what is written there is drawn. Without
// an address for tiles a grid of coordinates lies below. All words come from the page.
(() => {
  "use strict";

  // --- datums: the same formulas as coupons/geodesy.py ---------------------------------------------------------------
  const AXIS = 6378245.0, SQUARED = 0.00669342162296594323, PI = Math.PI, { sin, cos, sqrt, abs, hypot, atan2 } = Math;
  const SHIFTED = [[42.88, 79.44, 49.23, 96.34], [39.37, 109.68, 54.15, 135.01], [29.52, 73.12, 42.9, 124.15], [26.71, 82.96, 29.53, 97.04], [20.41, 97.02, 29.53, 124.37], [17.87, 107.97, 20.42, 111.75], [15.7, 111.0, 17.5, 113.0]];
  const NOT_SHIFTED = [[21.78, 119.92, 25.4, 122.5], [20.09, 101.86, 22.29, 106.67], [20.48, 106.45, 21.46, 108.06], [50.32, 109.03, 55.82, 119.13], [49.8, 127.8, 55.82, 137.03], [42.56, 131.26, 44.9, 137.03]];
  const inAny = (boxes, lat, lng) => boxes.some(([s, w, n, e]) => s <= lat && lat <= n && w <= lng && lng <= e);
  const shifted = (lat, lng) => inAny(SHIFTED, lat, lng) && !inAny(NOT_SHIFTED, lat, lng);

  function toGcj([lat, lng]) {
    if (!shifted(lat, lng)) return [lat, lng];
    const x = lng - 105, y = lat - 35, ripple = 20 * sin(6 * PI * x) + 20 * sin(2 * PI * x);
    let north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x));
    north += ((ripple + 20 * sin(PI * y) + 40 * sin((PI * y) / 3) + 160 * sin((PI * y) / 12) + 320 * sin((PI * y) / 30)) * 2) / 3;
    let east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x));
    east += ((ripple + 20 * sin(PI * x) + 40 * sin((PI * x) / 3) + 150 * sin((PI * x) / 12) + 300 * sin((PI * x) / 30)) * 2) / 3;
    const squeeze = 1 - SQUARED * sin((lat * PI) / 180) ** 2;
    const meridian = (AXIS * (1 - SQUARED)) / squeeze ** 1.5, parallel = (AXIS / sqrt(squeeze)) * cos((lat * PI) / 180);
    return [lat + ((north / meridian) * 180) / PI, lng + ((east / parallel) * 180) / PI];
  }

  function toBd([lat, lng]) {
    const length = hypot(lat, lng) + 0.00002 * sin((lat * PI * 3000) / 180);
    const angle = atan2(lat, lng) + 0.000003 * cos((lng * PI * 3000) / 180);
    return [length * sin(angle) + 0.006, length * cos(angle) + 0.0065];
  }

  function back(shift, [lat, lng]) {
    let [a, b] = [lat, lng];
    for (let turn = 0; turn < 10; turn++) {
      const [c, d] = shift([a, b]);
      a += lat - c;
      b += lng - d;
    }
    return [a, b];
  }

  const TO_WGS = {
    wgs84: (p) => p,
    gcj02: (p) => back(toGcj, p),
    bd09: (p) => (shifted(...p) ? back(toGcj, back(toBd, p)) : p),
  };
  const FROM_WGS = { wgs84: (p) => p, gcj02: toGcj };

  const nested = (part, move) => {
    if (typeof part[0] !== "number") return part.map((inner) => nested(inner, move));
    const [lat, lng] = move([part[1], part[0]]);
    return [Number(lng.toFixed(7)), Number(lat.toFixed(7))];
  };
  const moved = (shape, move) => ({ type: shape.type, coordinates: nested(shape.coordinates, move) });

  // --- one map -------------------------------------------------------------------------------------------------------
  const Grid = L.GridLayer.extend({
    createTile(coords) {
      const tile = document.createElement("div"), size = this.getTileSize();
      const corner = this._map.unproject([coords.x * size.x, coords.y * size.y], coords.z);
      const digits = Math.max(0, Math.min(4, Math.ceil((coords.z - 6) / 3)));
      tile.className = "desk-grid";
      tile.textContent = `${corner.lat.toFixed(digits)}, ${L.Util.wrapNum(corner.lng, [-180, 180], true).toFixed(digits)}`;
      return tile;
    },
  });

  function shapeOf(text) {
    if (!text.trim()) return null;
    let said = JSON.parse(text);
    if (said.type === "FeatureCollection" && said.features.length === 1) said = said.features[0];
    if (said.type === "Feature") said = said.geometry;
    if (said.type !== "Polygon" && said.type !== "MultiPolygon") throw new Error(said.type);
    return said;
  }

  function begin(box) {
    const wrap = box.closest(".desk-map-wrap"), [told, kept] = wrap.querySelectorAll('script[type="application/json"]');
    const { tiles, datum, by, language, words } = JSON.parse(told.textContent);
    const text = wrap.querySelector("textarea"), wrong = wrap.querySelector(".desk-map-wrong");
    const datumOf = box.closest("form")?.querySelector('[name="datum"]');
    const toMap = FROM_WGS[datum] || FROM_WGS.wgs84, fromMap = TO_WGS[datum] || TO_WGS.wgs84;

    const map = L.map(box, { zoomControl: false, maxZoom: 19, worldCopyJump: true }).setView([35, 105], 4);
    map.attributionControl.setPrefix(false);
    L.control.zoom({ zoomInTitle: words.zoomIn, zoomOutTitle: words.zoomOut }).addTo(map);
    (tiles ? L.tileLayer(tiles, { attribution: by, maxZoom: 19 }) : new Grid()).addTo(map);
    const drawn = L.featureGroup().addTo(map);
    const style = { color: "#2563eb", weight: 2 };

    function parts(shape) {
      return shape.type === "Polygon" ? [shape.coordinates] : shape.coordinates;
    }

    function draw(shape) {
      drawn.clearLayers();
      if (!shape) return;
      for (const coordinates of parts(moved(shape, toMap)))
        L.geoJSON({ type: "Polygon", coordinates }, { style }).eachLayer((layer) => keep(layer));
    }

    function fit() {
      if (drawn.getLayers().length) map.fitBounds(drawn.getBounds(), { padding: [24, 24], maxZoom: 17 });
    }

    function write() {
      const all = [];
      drawn.eachLayer((layer) => all.push(...parts(layer.toGeoJSON(15).geometry)));
      const shape = all.length === 1 ? { type: "Polygon", coordinates: all[0] } : { type: "MultiPolygon", coordinates: all };
      text.value = all.length ? JSON.stringify(moved(shape, fromMap)) : "";
      if (datumOf) datumOf.value = "wgs84";
      wrong.hidden = true;
      text.dispatchEvent(new Event("change", { bubbles: true }));
    }

    function keep(layer) {
      drawn.addLayer(layer);
      if (text) layer.on("pm:edit pm:dragend pm:rotateend", write);
    }

    function read() {
      try {
        const shape = shapeOf(text.value);
        draw(shape && moved(shape, TO_WGS[datumOf?.value] || TO_WGS.wgs84));
        wrong.hidden = true;
      } catch {
        wrong.textContent = words.unreadable;
        wrong.hidden = false;
      }
    }

    if (text) {
      map.pm.setLang(language);
      map.pm.setGlobalOptions({ layerGroup: drawn, pathOptions: style, allowSelfIntersection: true });
      map.pm.addControls({ position: "topleft", drawMarker: false, drawCircleMarker: false, drawCircle: false, drawPolyline: false, drawText: false, rotateMode: false });
      map.on("pm:create", ({ layer }) => {
        keep(layer);
        write();
      });
      map.on("pm:cut", ({ originalLayer, layer }) => {
        drawn.removeLayer(originalLayer);
        drawn.removeLayer(layer);
        layer.remove();
        for (const coordinates of parts(layer.toGeoJSON(15).geometry))
          L.geoJSON({ type: "Polygon", coordinates }, { style }).eachLayer(keep);
        write();
      });
      map.on("pm:remove", ({ layer }) => {
        drawn.removeLayer(layer);
        write();
      });
      text.addEventListener("input", () => {
        read();
        fit();
      });
      datumOf?.addEventListener("change", read);
      const go = L.control({ position: "topright" });
      go.onAdd = () => {
        const place = L.DomUtil.create("div", "desk-map-go");
        const input = place.appendChild(document.createElement("input")), button = place.appendChild(document.createElement("button"));
        input.placeholder = input.ariaLabel = words.position;
        button.type = "button";
        button.textContent = words.go;
        const there = () => {
          const [lat, lng] = input.value.split(/[,，\s]+/).map(Number);
          if (abs(lat) <= 90 && abs(lng) <= 180) map.setView(toMap([lat, lng]), 15);
        };
        button.addEventListener("click", there);
        input.addEventListener("keydown", (event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          there();
        });
        L.DomEvent.disableClickPropagation(place);
        return place;
      };
      go.addTo(map);
      read();
    } else draw(JSON.parse(kept.textContent));

    fit();
    if (box.dataset.fault) {
      const [lng, lat] = box.dataset.fault.split(",").map(Number);
      const at = toMap((TO_WGS[datumOf?.value] || TO_WGS.wgs84)([lat, lng]));
      L.circleMarker(at, { radius: 9, color: "#dc2626", fillOpacity: 0.4, pmIgnore: true, className: "desk-map-fault" }).addTo(map);
      map.setView(at, Math.max(map.getZoom(), 13));
    }
    // a map that was hidden has no width until it is shown
    new ResizeObserver(() => map.invalidateSize()).observe(box);
    box.desk = { map, drawn, toGcj, toWgs: TO_WGS };
  }

  const all = () => document.querySelectorAll("[data-map]").forEach(begin);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all);
  else all();
})();
