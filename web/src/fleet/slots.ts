// Which job runs on which device of a worker.

import type { Job, OfferedDevice, Worker } from "../contract";

export interface Place {
  device: OfferedDevice;
  jobs: Job[];
}

/** The jobs of each device, and the ids of jobs whose device the page does not know yet. */
export function placesOf(worker: Worker, known: Map<number, Job>): { places: Place[]; unknown: number[] } {
  const places = worker.devices.map((device): Place => ({ device, jobs: [] }));
  const unknown: number[] = [];
  for (const id of worker.jobs) {
    const job = known.get(id);
    const place = places.find(({ device }) => device.device === job?.device);
    if (job && place) place.jobs.push(job);
    else unknown.push(id);
  }
  return { places, unknown };
}

/** "3 of 8 slots busy", over the workers that claim jobs. */
export function occupancy(workers: Worker[]): { busy: number; slots: number } {
  const active = workers.filter((worker) => worker.state === "active");
  return {
    busy: active.reduce((sum, worker) => sum + worker.jobs.length, 0),
    slots: active.reduce((sum, worker) => sum + worker.slots, 0),
  };
}
