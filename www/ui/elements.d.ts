// The custom elements, as the DOM's own functions give them.
import type { AlertBox } from './alert.js';
import type { CameraDialog } from './camera.js';
import type { LossCurve } from './curve.js';
import type { DevicePanel } from './device.js';
import type { ModelList } from './models.js';
import type { WorkProgress } from './progress.js';
import type { SamplePicker } from './samples.js';
import type { SideSheet } from './sheet.js';
import type { CompareSlider } from './compare.js';
import type { TokenGrid } from './tokens.js';
import type { ResultNumbers } from './numbers.js';
import type { StageSlider } from '../rooms/rebuild/slider.js';
import type { PictureList } from '../rooms/tune/pictures.js';
import type { TeachView } from '../rooms/tune/teach-view.js';
import type { TuneView } from '../rooms/tune/view.js';

declare global {
  interface HTMLElementTagNameMap {
    'alert-box': AlertBox;
    'camera-dialog': CameraDialog;
    'compare-slider': CompareSlider;
    'device-panel': DevicePanel;
    'loss-curve': LossCurve;
    'model-list': ModelList;
    'picture-list': PictureList;
    'result-numbers': ResultNumbers;
    'sample-picker': SamplePicker;
    'side-sheet': SideSheet;
    'stage-slider': StageSlider;
    'token-grid': TokenGrid;
    'teach-view': TeachView;
    'tune-view': TuneView;
    'work-progress': WorkProgress;
  }
}
