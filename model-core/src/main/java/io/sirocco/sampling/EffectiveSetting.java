package io.sirocco.sampling;

/** One line of a summary: a setting by its configuration key, its value as text, who gave it. */
public record EffectiveSetting(String key, String value, Origin origin) {
  @Override
  public String toString() {
    return key + ": " + value + " (" + origin + ")";
  }
}
