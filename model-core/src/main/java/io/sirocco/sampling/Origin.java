package io.sirocco.sampling;

/** Who gave a setting its value. */
public enum Origin {
  JOB("the job"),
  MODEL("the model's generation_config.json"),
  FOLDER("the model's folder"),
  DEFAULT("default");

  private final String text;

  Origin(String text) {
    this.text = text;
  }

  @Override
  public String toString() {
    return text;
  }
}
