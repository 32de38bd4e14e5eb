// The texts of the page whose contrast to what is behind them is below 4.5 to 1.
const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
const linear = (value) => {
  const part = value / 255;
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
};
const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = channels(getComputedStyle(at).backgroundColor);
    if (colour.length < 4 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const weak = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  const text = walker.currentNode.textContent.trim();
  if (!text || !element.checkVisibility() || ["SCRIPT", "OPTION"].includes(element.tagName)) continue;
  // A row that just came shows that for a moment.
  if (element.closest(".fresh")) continue;
  const [one, other] = [luminance(channels(getComputedStyle(element).color)), luminance(behind(element))];
  const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  if (contrast < 4.5) weak.push(`${contrast.toFixed(2)}: ${element.tagName}.${element.className} ${text.slice(0, 40)}`);
}
return weak;
