// @ts-check
// Files from a drop anywhere on the page, and from the clipboard.

/** @param {(files: File[]) => void} take */
export function listen(take) {
  const page = document.documentElement;
  // Every child that the pointer crosses sends its own enter and leave.
  let depth = 0;
  const over = (/** @type {DragEvent} */ event, /** @type {number} */ step) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(0, depth + step);
    page.toggleAttribute('data-dragging', depth > 0);
  };
  addEventListener('dragenter', (event) => over(event, 1));
  addEventListener('dragleave', (event) => over(event, -1));
  addEventListener('dragover', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
  });
  addEventListener('drop', (event) => {
    if (!carriesFiles(event)) return;
    depth = 0;
    page.removeAttribute('data-dragging');
    // A drop that an element has handled is not for the room.
    if (event.defaultPrevented) return;
    event.preventDefault();
    take([...(event.dataTransfer?.files ?? [])]);
  });
  addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    take(files);
  });
}

/** @param {DragEvent} event */
const carriesFiles = (event) => event.dataTransfer?.types.includes('Files') ?? false;
