"""The gallery's mails where a program makes them dark, whatever they say of dark colours."""

from __future__ import annotations

from base64 import b64encode

from demo.gallery import gallery
from tests.chromium import find_chromium, running_chromium

_READABLE = 4.5
_FORCED_DARK = ("--force-dark-mode", "--enable-features=WebContentsForceDark")
"""As the mail programs of some phones do it, which ignore what a mail says of dark colours."""

_CONTRASTS = """async screenshot => {
  const image = new Image();
  image.src = `data:image/png;base64,${screenshot}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const channel = v => v <= 10 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;
  const luminance = (d, at) =>
    0.2126 * channel(d[at]) + 0.7152 * channel(d[at + 1]) + 0.0722 * channel(d[at + 2]);
  const found = [], scale = devicePixelRatio;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text; text = texts.nextNode();) {
    const range = document.createRange();
    range.selectNodeContents(text);
    const box = range.getClientRects()[0];
    if (!text.data.trim() || !box || box.width < 8 || box.height < 8) continue;
    if (box.bottom > innerHeight) break;
    const area = [box.x, box.y, box.width, box.height].map(v => Math.round(v * scale));
    const pixels = context.getImageData(...area).data;
    let [darkest, lightest] = [1, 0];
    for (let at = 0; at < pixels.length; at += 4) {
      const light = luminance(pixels, at);
      [darkest, lightest] = [Math.min(darkest, light), Math.max(lightest, light)];
    }
    found.push([(lightest + 0.05) / (darkest + 0.05), text.data.trim().slice(0, 40)]);
  }
  return found;
}"""
"""The contrast of each text as it is drawn: of its lightest and its darkest pixel."""


def test_texts_can_be_read_where_darkness_is_forced() -> None:
    """Every text, as it is drawn, has the contrast of WCAG AA: 4.5."""
    with running_chromium(find_chromium(), *_FORCED_DARK) as browser:
        page = browser.new_page(viewport={"width": 360, "height": 2000}, device_scale_factor=2)
        page.route("**/*", lambda route: route.abort())
        for name, mail in gallery():
            page.set_content(mail.html)
            is_dark = page.screenshot()
            for contrast, text in page.evaluate(_CONTRASTS, b64encode(is_dark).decode()):
                assert contrast >= _READABLE, (name, text)
