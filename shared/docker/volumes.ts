/** A volume of an engine. */
export interface EngineVolume {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Named volumes of one engine: they stay when the containers go that saw them. */
export interface Volumes {
  inspect(name: string): Promise<EngineVolume | undefined>;
  /** One of that name that is there already stays as it is. */
  create(volume: EngineVolume): Promise<void>;
  /** Removing what is not there is no error. @throws Terminal `volume-in-use` while a container has it */
  remove(name: string): Promise<void>;
}
