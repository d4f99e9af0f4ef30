package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.prepared.Keeping;
import io.sirocco.prepared.PreparedPlace;
import io.sirocco.prepared.PreparedRoom;
import java.io.IOException;
import java.nio.file.Files;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Room for prepared weights, which share the cache, and its limit, with the copies of models. */
public final class PreparedCache implements PreparedRoom {
  private static final Logger LOG = LoggerFactory.getLogger(PreparedCache.class);

  private final CacheSettings settings;

  PreparedCache(CacheSettings settings) {
    this.settings = settings;
  }

  /**
   * How the executor in this JVM keeps prepared weights.
   *
   * @throws ModelException if a setting of the cache has a value that makes no sense
   */
  public static Keeping keepingHere() {
    return CacheSettings.preparedHere().isEmpty() ? Keeping.PLAIN : keeping(CacheSettings.here());
  }

  static Keeping keeping(CacheSettings settings) {
    Keeping.Check check =
        switch (settings.check()) {
          case SIZES -> Keeping.Check.SIZES;
          case CHECKSUMS -> Keeping.Check.CHECKSUMS;
        };
    return new Keeping(check, new PreparedCache(settings));
  }

  @Override
  public boolean has(PreparedPlace place, long bytes) {
    try {
      if (place.bytes() >= bytes) {
        return true; // Though the cache may be another user's.
      }
      if (!Files.exists(settings.folder())) {
        return bytes <= settings.maxSize() && PreparedRoom.DISK.has(place, bytes);
      }
      return new Room(CacheFolder.open(settings.folder()), settings).has(Wanted.by(place, bytes));
    } catch (IOException | ModelException e) {
      LOG.debug("{} cannot hold prepared weights", place.folder(), e);
      return false;
    }
  }

  @Override
  public void reserve(PreparedPlace place, long bytes) {
    try {
      new Room(CacheFolder.open(settings.folder()), settings)
          .reserve(Wanted.by(place, bytes), () -> place.reserve(bytes));
    } catch (IOException e) {
      throw new ModelException(
          place.folder().toString(), "no room could be made for prepared weights: " + e, e);
    }
  }
}
