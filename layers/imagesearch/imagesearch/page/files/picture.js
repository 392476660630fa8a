/** The picture that is searched with, made fit to be sent. */

const LONGEST_BODY = 4_000_000;
const LONGEST_SIDE = 2048;

/**
 * Read a file: its bytes as they will be sent, an address to show them, and their size in pixels
 * as a person sees it, upright. One too large for a request is scaled down.
 */
export async function prepare(blob, name) {
  const url = URL.createObjectURL(blob);
  try {
    const { naturalWidth: width, naturalHeight: height } = await load(url);
    if (blob.size <= LONGEST_BODY) return { blob, name, url, width, height };
    const smaller = await shrink(blob);
    URL.revokeObjectURL(url);
    return prepare(smaller, name);
  } catch {
    // No browser shows TIFF or PPM; the service reads them all the same.
    URL.revokeObjectURL(url);
    return { blob, name, url: "", width: 0, height: 0 };
  }
}

/** The bytes of a picture in base64, as JSON takes them. */
export function base64(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(blob);
  });
}

async function load(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

async function shrink(blob) {
  const bitmap = await createImageBitmap(blob);
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(
    Math.round(bitmap.width * scale),
    Math.round(bitmap.height * scale),
  );
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 });
}
