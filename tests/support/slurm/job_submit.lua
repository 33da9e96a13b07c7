-- Refuses jobs above the limit in the file `limit`, in the words of a real limit per user, which needs accounting.

local FOLDER = "{folder}"

-- Jobs that are pending, running or suspended. The lower byte of a state is the state without its flags.
local function unfinished(user)
   local count = 0
   for _, job in pairs(slurm.jobs) do
      if job.user_id == user and job.job_state % 256 <= 2 then
         count = count + 1
      end
   end
   return count
end

function slurm_job_submit(request, partitions, user)
   local file = io.open(FOLDER .. "/limit")
   if file == nil then
      return slurm.SUCCESS
   end
   local limit = file:read("*n")
   file:close()
   if unfinished(user) < limit then
      return slurm.SUCCESS
   end
   slurm.log_user("QOSMaxSubmitJobPerUserLimit")
   return slurm.ESLURM_ACCOUNTING_POLICY
end

function slurm_job_modify()
   return slurm.SUCCESS
end

return slurm.SUCCESS
