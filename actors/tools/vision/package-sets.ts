/** The sets of packages that reading pictures and documents needs. They are fetched on first use (docs/adr/0033). */
import { cachedPackages, type PackageSet, shippedSet } from '../../../platform/package-set.ts';

export const ocrSet: PackageSet = { name: 'OCR (tesseract.js, English)', folder: shippedSet('ocr'), bytes: 65_800_000 };
export const picturesSet: PackageSet = { name: 'pictures (@napi-rs/canvas)', folder: shippedSet('pictures'), bytes: 36_000_000 };
export const documentsSet: PackageSet = {
  name: 'documents (pdfjs-dist, @napi-rs/canvas)',
  folder: shippedSet('documents'),
  bytes: 73_700_000,
};

/** By the names under which `cox doctor` knows them. */
export const readingSets = { ocr: ocrSet, documents: documentsSet, pictures: picturesSet };

/** The set with @napi-rs/canvas: one that is there already, else the smaller one. */
export const canvasSet = (cacheFolder: string): PackageSet =>
  cachedPackages(documentsSet, cacheFolder) ? documentsSet : picturesSet;
