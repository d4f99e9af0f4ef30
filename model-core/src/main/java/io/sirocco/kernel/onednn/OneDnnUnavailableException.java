package io.sirocco.kernel.onednn;

/** oneDNN cannot be used here, or not in the precision asked for; the message says why. */
public final class OneDnnUnavailableException extends Exception {
  private static final long serialVersionUID = 1L;

  OneDnnUnavailableException(String reason) {
    super(reason);
  }

  OneDnnUnavailableException(String reason, Throwable cause) {
    super(reason, cause);
  }
}
